"""Events: from the outbox to the inbox, what appending and relaying cost, the read model."""
