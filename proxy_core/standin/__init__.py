"""A stand-in for the Claude API on loopback: for the demonstration, the tests and the benchmarks; never for real traffic."""
