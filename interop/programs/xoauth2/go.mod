module device

go 1.25

require golang.org/x/oauth2 v0.37.0
