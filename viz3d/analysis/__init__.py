"""Arrays in, small result types out. No drawing, no files, no Streamlit."""
