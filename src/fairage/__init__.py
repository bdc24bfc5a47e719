"""Train, audit and de-bias models that estimate a person's age from a face."""
