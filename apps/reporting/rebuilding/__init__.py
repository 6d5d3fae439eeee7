"""Makes the read model anew from the log of all events, beside the one in use, and puts it in its
place while the shop goes on."""
