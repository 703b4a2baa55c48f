// Stands where npm would: tells its environment as npm tells its failures.
process.stderr.write(JSON.stringify(process.env));
process.exitCode = 1;
