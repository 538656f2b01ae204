"""Feature modules and the contract they keep. Third parties import ``modules.contract`` only."""
