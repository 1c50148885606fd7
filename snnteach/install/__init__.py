"""Set-up on a bare Python, standard library only: environment, pins, doctor, working copies, the table of commands."""
