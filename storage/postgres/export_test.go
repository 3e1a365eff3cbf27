package postgres

// OpenConfig is OpenFailover with a configuration of pgx in place of a DSN.
var OpenConfig = open
