"""python -m clipdemo"""

from clipdemo.commands.app import main

if __name__ == "__main__":  # worker processes of some systems import it
    main()
