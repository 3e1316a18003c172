package dmg

import "fmt"

func unpackLZFSE(_, _ []byte) error { return fmt.Errorf("%w: LZFSE", errKind) }
