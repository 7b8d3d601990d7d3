"""Where finished clips and checked inputs lie: one protocol, local files by default."""
