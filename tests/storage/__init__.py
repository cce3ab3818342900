"""A storage server that answers like Google's, and fails as it is told to; and the tests on it."""
