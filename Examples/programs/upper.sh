# JSON text comes in as it is written and goes out the same way, its letters changed.
exec tr '[:lower:]' '[:upper:]'
