package testdisc

import (
	"bytes"
	"encoding/binary"
	"sync"

	"spindle/internal/testdisc/testhfs"
)

// macs are the discs of a Mac, as Toast has them: HFS, HFS Plus, and HFS Plus in HFS behind a partition map; a hard
// disk with a partition of NTFS and one of HFS Plus, and one with NTFS alone.
var macs = sync.OnceValue(func() map[string][]byte {
	files := []testhfs.File{
		{Path: "Read Me", Data: []byte("Welcome.\r"), Type: "TEXTttxt"},
		{Path: "Applications/Größe: 1", Data: bytes.Repeat([]byte("data"), 5000), Resource: []byte("resources"), Type: "APPLgrsz"},
	}
	plain := testhfs.Make(testhfs.Options{Name: "Mac disc", Files: files})
	plus := testhfs.Make(testhfs.Options{Name: "Mac disc", Plus: true, Files: append(files,
		testhfs.File{Path: "link", Data: []byte("Read Me"), Mode: 0o120755, Type: "slnkrhap"},
		testhfs.File{Path: "script", Data: []byte("#!/bin/sh\n"), Mode: 0o100755},
		testhfs.File{Path: "packed", Owner: 0x20, Mode: 0o100644, Packed: []byte("fpmc\x03\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\xFFpacked.\n")},
		testhfs.File{Path: "unknown", Owner: 0x20, Mode: 0o100644, Packed: []byte("fpmc\x05\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00")},
	)})
	ntfs := append([]byte("\xEB\x52\x90NTFS    "), make([]byte, 4096-11)...)
	return map[string][]byte{
		"hfs": plain, "hfsplus": plus, "hfsmap": testhfs.Map(testhfs.Wrap(plus), 2048),
		"hfsdisk": disk(ntfs, plus), "otherdisk": disk(ntfs),
	}
})

// disk makes a disk with a master boot record.
func disk(parts ...[]byte) []byte {
	const sector, table, each = 512, 446, 16
	b := make([]byte, 63*sector)
	b[510], b[511] = 0x55, 0xAA
	for i, p := range parts {
		e := b[table+each*i : table+each*(i+1)]
		e[4] = 7
		binary.LittleEndian.PutUint32(e[8:], uint32(len(b)/sector))
		binary.LittleEndian.PutUint32(e[12:], uint32(len(p)/sector))
		b = append(b, p...)
	}
	return b
}
