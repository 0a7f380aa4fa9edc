// Memory twins and suites for tests.
export {}
