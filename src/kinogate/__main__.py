"""`python -m kinogate`."""

from kinogate.cli import main

main()
