package testdisc

import (
	"bytes"

	"spindle/internal/testdisc/testhfs"
)

// macs are the discs of a Mac, as Toast has them: HFS, HFS Plus, and HFS Plus in HFS behind a partition map.
func macs() map[string][]byte {
	files := []testhfs.File{
		{Path: "Read Me", Data: []byte("Welcome.\r"), Type: "TEXTttxt"},
		{Path: "Applications/Größe: 1", Data: bytes.Repeat([]byte("data"), 5000), Resource: []byte("resources"), Type: "APPLgrsz"},
	}
	plain := testhfs.Make(testhfs.Options{Name: "Mac disc", Files: files})
	plus := testhfs.Make(testhfs.Options{Name: "Mac disc", Plus: true, Files: append(files,
		testhfs.File{Path: "link", Data: []byte("Read Me"), Mode: 0o120755, Type: "slnkrhap"},
		testhfs.File{Path: "script", Data: []byte("#!/bin/sh\n"), Mode: 0o100755},
		testhfs.File{Path: "packed", Owner: 0x20, Mode: 0o100644},
	)})
	return map[string][]byte{"hfs": plain, "hfsplus": plus, "hfsmap": testhfs.Map(testhfs.Wrap(plus), 2048)}
}
