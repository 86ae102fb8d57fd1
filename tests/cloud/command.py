"""The command line as a process of its own, which is what can be killed."""

from dynadeep.host_tools.cli import main

if __name__ == "__main__":
    main()
