"""What the gateway costs, what it does when it is asked twice as much as it can, and what requests notice of new versions behind it."""
