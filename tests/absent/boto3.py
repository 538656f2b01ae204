"""Stands before the boto3 that the tests' S3 server brings: the product under test has none, as on any laptop or hub."""

raise ImportError("only the S3 server of the tests has boto3")
