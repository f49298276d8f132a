"""What the graph's branches work with. Importing any of it sets the offline switches, before a library reads them."""

from tools.offline import stay_offline

stay_offline()
