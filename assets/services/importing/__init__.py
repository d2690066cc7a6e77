"""Lists that are brought in: read into a table of lines, judged in sets, applied all or not at all, and undone.

A list is a source, and no source overrules the desk: it changes only what the same source said before. What
it brings that can alter trading (contracts and their decimals) takes two people, who agree to a digest of
every line.
"""
