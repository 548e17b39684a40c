"""Commands of the command line, one module each; they import what they run only when they run."""
