"""Wire forms: one module a format, its reader and its writer."""
