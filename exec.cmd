@rem npm's scripts begin with the shell's `exec`, so that signals reach the program itself.
@rem Windows has no such command: there, this file runs the program.
@%*
