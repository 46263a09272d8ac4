"""All mail: one delivery a payout, and the tracker's letters, sent until a server has them."""
