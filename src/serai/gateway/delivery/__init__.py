"""What was committed is sent: where to, in which pieces, in order, under the right identity."""
