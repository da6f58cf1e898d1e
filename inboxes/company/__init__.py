"""Company sign-in: the company's own OpenID provider says who somebody is."""
