"""What runs in the cluster, read through kubectl: documents, and pure judgements over them."""
