"""How events become rows. Whatever the order in which they come, and however often, the rows in the
end are the same: states are guarded by their source's version, and what adds up is derived from the
rows before and after a batch."""
