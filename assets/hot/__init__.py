"""The hottest look-ups: an in-process dict the database keeps fresh, Redis behind it, PostgreSQL behind that."""
