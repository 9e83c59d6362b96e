@rem npm's scripts begin with the shell's exec, so that signals reach the program itself. On Windows, where there is none, this is it.
@%*
