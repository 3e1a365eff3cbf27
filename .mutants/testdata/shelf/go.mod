module shelf

go 1.26.0
