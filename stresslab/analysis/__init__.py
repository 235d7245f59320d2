"""What it all means: verdict, edge, and every study of a strategy beyond its distribution."""
