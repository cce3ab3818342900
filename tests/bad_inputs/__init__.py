"""Every bad input that the project promises to bear (I1 to I86), made when a test asks for it.

Each module makes one kind: `jsonl`, `values`, `steps`, `tables`, `parquet`, `archives`, `objects`,
`settings`, `names`, `documents`, `bombs`. `cases` gathers them. What cannot be a fixture, because
it is a bucket, a link or a chart, is a test elsewhere: `elsewhere.TESTS` says which.
"""
