package hfs

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"time"
)

// An Item is a file or a folder.
type Item struct {
	Name             string // in UTF-8, with ":" where the Mac shows "/"
	ID               uint32 // of a folder: for List
	Folder           bool
	Invisible        bool
	Mode             uint16 // of POSIX, with the type; 0 where it is not stated, as in HFS
	UID, GID         uint32
	Created          time.Time // zero: not stated
	Modified         time.Time
	Accessed         time.Time
	Data, Resource   Fork
	FinderInfo       [32]byte // type, creator and more, as AppleDouble has it
	Compressed       bool     // its content is not in the data fork, but in an attribute or in the resource fork
	link             uint32   // of a hard link: the number of what it leads to
	toFolder, isLink bool
}

// Types of records (TN1150, "Catalog File"). HFS has them in the first of two bytes.
const (
	folderRecord = 1
	fileRecord   = 2
)

// maxItems bounds a folder.
const maxItems = 1 << 20

// compareParent compares the key of a catalogue record with that of a folder's own record, which
// is in front of those of what is in it.
func (v *Volume) compareParent(key []byte, folder uint32) int {
	parent, name, ok := v.catalogKey(key)
	if !ok {
		return -1
	}
	return cmp.Or(cmp.Compare(parent, folder), cmp.Compare(len(name), 0))
}

// catalogKey divides a key into the number of the folder, and the bytes of the name.
func (v *Volume) catalogKey(key []byte) (parent uint32, name []byte, ok bool) {
	be := binary.BigEndian
	switch {
	case v.plus && len(key) >= 6:
		n := 2 * int(be.Uint16(key[4:]))
		return be.Uint32(key), key[6:min(len(key), 6+n)], true
	case !v.plus && len(key) >= 6:
		return be.Uint32(key[1:]), key[6:min(len(key), 6+int(key[5]))], true
	}
	return 0, nil, false
}

// name reads the name in a key.
func (v *Volume) name(key []byte) (string, bool) {
	if v.plus {
		return plusName(key[4:])
	}
	return romanName(key[5:], 31)
}

// List returns what is in a folder. What can be read comes with an error about the rest.
func (v *Volume) List(folder uint32) ([]*Item, error) {
	all, err := v.list(folder)
	if !v.plus {
		return all, err
	}
	kept := all[:0]
	for _, i := range all {
		if folder == RootID && isPrivate(i) {
			continue
		}
		if i.isLink {
			var lerr error
			if i, lerr = v.follow(i); lerr != nil {
				err = cmp.Or(err, lerr)
			}
		}
		kept = append(kept, i)
	}
	return kept, err
}

// list returns what is in a folder, as it is stored.
func (v *Volume) list(folder uint32) ([]*Item, error) {
	var all []*Item
	var bad error
	err := v.catalog.walk(
		func(key []byte) int { return v.compareParent(key, folder) },
		func(key, data []byte) bool {
			parent, _, ok := v.catalogKey(key)
			switch {
			case !ok:
				bad = cmp.Or(bad, malformed("a key of the catalogue is too short"))
				return true
			case parent < folder:
				return true
			case parent > folder:
				return false
			case len(all) == maxItems:
				bad = malformed("folder %d has more than %d entries", folder, maxItems)
				return false
			}
			i, err := v.item(key, data)
			if i != nil {
				all = append(all, i)
			}
			bad = cmp.Or(bad, err)
			return true
		})
	return all, cmp.Or(err, bad)
}

// item reads a record of the catalogue. It is nil for those that are of no file and no folder.
func (v *Volume) item(key, data []byte) (*Item, error) {
	kind := -1
	switch {
	case v.plus && len(data) >= 2:
		kind = int(binary.BigEndian.Uint16(data))
	case !v.plus && len(data) >= 1:
		kind = int(data[0])
	}
	sizes := map[int]int{folderRecord: 70, fileRecord: 102}
	if v.plus {
		sizes = map[int]int{folderRecord: 88, fileRecord: 248}
	}
	size, known := sizes[kind]
	if !known {
		return nil, nil
	}
	name, ok := v.name(key)
	if !ok || len(data) < size {
		return nil, malformed("a record of the catalogue is too short")
	}
	i := &Item{Name: name, Folder: kind == folderRecord}
	if v.plus {
		v.plusItem(i, data)
	} else {
		v.plainItem(i, data)
	}
	const invisible = 1 << 14 // of the flags of the Finder (Inside Macintosh: Toolbox Essentials, 7-47)
	i.Invisible = binary.BigEndian.Uint16(i.FinderInfo[8:])&invisible != 0
	return i, nil
}

// plainItem reads a record of HFS (Inside Macintosh: Files, 2-71).
func (v *Volume) plainItem(i *Item, b []byte) {
	be := binary.BigEndian
	if i.Folder {
		i.ID, i.Created, i.Modified = be.Uint32(b[6:]), localTime(be.Uint32(b[10:])), localTime(be.Uint32(b[14:]))
		copy(i.FinderInfo[:], b[22:54])
		return
	}
	i.ID, i.Created, i.Modified = be.Uint32(b[20:]), localTime(be.Uint32(b[44:])), localTime(be.Uint32(b[48:]))
	copy(i.FinderInfo[:], b[4:20])
	copy(i.FinderInfo[16:], b[56:72])
	i.Data = v.fork(i.ID, dataFork, uint64(be.Uint32(b[26:])), b[74:86])
	i.Resource = v.fork(i.ID, resourceFork, uint64(be.Uint32(b[36:])), b[86:98])
}

// plusItem reads a record of HFS Plus.
func (v *Volume) plusItem(i *Item, b []byte) {
	be := binary.BigEndian
	i.ID = be.Uint32(b[8:])
	i.Created, i.Modified, i.Accessed = plusTime(be.Uint32(b[12:])), plusTime(be.Uint32(b[16:])), plusTime(be.Uint32(b[24:]))
	i.UID, i.GID, i.Mode = be.Uint32(b[32:]), be.Uint32(b[36:]), be.Uint16(b[42:])
	copy(i.FinderInfo[:], b[48:80])
	if i.Folder {
		return
	}
	const compressed = 0x20 // UF_COMPRESSED of Darwin's sys/stat.h
	i.Compressed = b[41]&compressed != 0
	i.Data = v.plusFork(i.ID, dataFork, b[88:168])
	i.Resource = v.plusFork(i.ID, resourceFork, b[168:248])
	switch string(b[48:56]) {
	case "hlnkhfs+":
		i.isLink, i.link = true, be.Uint32(b[44:])
	case "fdrpMACS":
		const chain = 1 << 5 // the flag kHFSHasLinkChainMask: it is no plain alias
		i.isLink, i.toFolder, i.link = be.Uint16(b[2:])&chain != 0, true, be.Uint32(b[44:])
	}
}

// The folders of the root in which what has several names is kept (TN1150, "Hard Links").
const (
	privateFiles   = "\x00\x00\x00\x00HFS+ Private Data"
	privateFolders = ".HFS+ Private Directory Data\r"
)

func isPrivate(i *Item) bool {
	return i.Folder && (i.Name == privateFiles || i.Name == privateFolders)
}

// follow returns what a hard link leads to, by its own name. Where that is missing, the link comes with an error.
func (v *Volume) follow(link *Item) (*Item, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.links == nil {
		v.links = make(map[string]*Item)
		root, _ := v.list(RootID) // what is missing of it is reported where it is shown
		for _, i := range root {
			if !isPrivate(i) {
				continue
			}
			inside, _ := v.list(i.ID)
			for _, x := range inside {
				v.links[x.Name] = x
			}
		}
	}
	name := fmt.Sprintf("iNode%d", link.link)
	if link.toFolder {
		name = fmt.Sprintf("dir_%d", link.link)
	}
	to := v.links[name]
	if to == nil || to.Folder != link.toFolder {
		return link, malformed("%q is a hard link to %s, which there is not", link.Name, name)
	}
	found := *to
	found.Name = link.Name
	return &found, nil
}

// rootName is the name of the root folder, which is that of the volume.
func (v *Volume) rootName() (name string) {
	const parentOfRoot = 1
	all, _ := v.list(parentOfRoot)
	for _, i := range all {
		if i.ID == RootID {
			name = i.Name
		}
	}
	return name
}
