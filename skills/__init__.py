"""All that is learned, and how: contracts, policies, perception, experts, training, evaluation."""
