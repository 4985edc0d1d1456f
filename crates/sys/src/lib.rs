//! What nix lacks of the kernel and the C library: the only room with unsafe code.
