//! Delivers notices by mail and in the product.
