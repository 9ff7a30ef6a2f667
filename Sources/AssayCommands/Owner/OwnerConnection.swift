import Assay
import Foundation

/// One program that asks, on the thread that answers it.
struct OwnerConnection {
    /// How long it may take to say what it wants, and to take an answer.
    private static let patience: Int32 = 60_000
    /// The shortest time between two accounts of how a run stands.
    private static let pace: Int32 = 100

    private let descriptor: Int32
    private let desk: OwnerDesk
    private let bell: Bell

    /// Takes over `descriptor`, which ``serve()`` closes.
    ///
    /// - Throws: ``CommandFailure`` when there are no descriptors left for a bell; `descriptor` is then still open.
    init(_ descriptor: Int32, _ desk: OwnerDesk) throws(CommandFailure) {
        bell = try Bell()
        self.descriptor = descriptor
        self.desk = desk
    }

    /// Answers until the other end goes away, or is not understood.
    func serve() {
        defer { close(descriptor) }
        UnixSocket.limitSending(descriptor, seconds: Int(Self.patience) / 1_000)
        guard UnixSocket.peer(of: descriptor) == geteuid() else {
            _ = tell(.refused("only the user who runs this program may ask"))
            return
        }
        desk.listen(bell)
        defer { desk.leave(bell) }
        var buffer = LineBuffer()
        while let request = next(&buffer), answer(request) {}
    }

    /// The next request; `nil` when there is none, or none that can be understood.
    private func next(_ buffer: inout LineBuffer) -> OwnerRequest? {
        do {
            while true {
                if let line = try buffer.next() { return try OwnerRequest(line: line) }
                guard waits(for: Self.patience), case let bytes = UnixSocket.receive(from: descriptor), !bytes.isEmpty
                else { return nil }
                buffer.add(bytes)
            }
        } catch let failure as CommandFailure {
            _ = tell(.refused(failure.message))
        } catch {
            _ = tell(.refused("a line may have \(LineBuffer.longest) bytes"))
        }
        return nil
    }

    /// Waits until something has arrived; `false` when the time is over or the program ends.
    private func waits(for milliseconds: Int32) -> Bool {
        var left = milliseconds
        while left > 0, !desk.isClosing {
            let begun = DispatchTime.now().uptimeNanoseconds
            if poll(left).peer { return true }
            left -= Int32((DispatchTime.now().uptimeNanoseconds - begun) / 1_000_000) + 1
        }
        return false
    }

    /// Waits for the other end or the bell.
    private func poll(_ milliseconds: Int32) -> (peer: Bool, bell: Bool) {
        var ready = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        guard Foundation.poll(&ready, 2, milliseconds) > 0 else { return (false, false) }
        bell.silence()
        return (ready[0].revents != 0, ready[1].revents != 0)
    }

    private func tell(_ answer: OwnerAnswer) -> Bool {
        UnixSocket.send(Array((answer.jsonValue.json + "\n").utf8), to: descriptor)
    }

    /// Answers a request; `false` when nothing more is to be said.
    private func answer(_ request: OwnerRequest) -> Bool {
        do {
            switch request {
            case .cancel(let run, let drain):
                return tell(try desk.cancel(run, drain: drain) ? .stopping : .notInProgress)
            case .state(let run): return tellStand(try desk.stand(of: run))
            case .watch(let run): return try watch(run)
            case .move(let run, let move, let toEnd): return tell(desk.move(run, move, toEnd: toEnd))
            case .queue(let verb): return tell(desk.carryOut(verb))
            case .clearAlert(let name): return tell(desk.clear(name))
            }
        } catch { return tell(OwnerAnswer(error)) }
    }

    private func tellStand(_ stand: OwnerDesk.Stand) -> Bool {
        switch stand {
        case .inProgress(let block?): tell(.progress(block))
        case .ended(let exit): tell(.ended(exit))
        case .notYet, .unknown, .inProgress(nil): tell(.notInProgress)
        }
    }

    /// Tells how a run stands whenever that has changed, until it has ended or nobody listens any more.
    private func watch(_ run: Run.ID) throws -> Bool {
        while true {
            switch try desk.stand(of: run) {
            case .ended(let exit): return tell(.ended(exit))
            case .unknown: return tell(.notInProgress)
            case .inProgress(let block):
                guard tell(block.map { .progress($0) } ?? .goesOn) else { return false }
                // Those who watch say nothing meanwhile; what can be read is the end.
                guard !desk.isClosing, !poll(-1).peer else { return false }
                if rests() { return false }
            case .notYet: guard !desk.isClosing, !poll(-1).peer else { return false }
            }
        }
    }

    /// Lets changes gather.
    ///
    /// - Returns: whether the other end has gone.
    private func rests() -> Bool {
        var ready = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        return Foundation.poll(&ready, 1, Self.pace) > 0
    }
}
