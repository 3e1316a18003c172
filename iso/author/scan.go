package author

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// node is a file, a folder or a link.
type node struct {
	name     string // as the folder has it
	path     string // where its content is read
	mode     fs.FileMode
	time     time.Time
	size     int64
	link     string
	parent   *node
	children []*node

	isoName    string // in the primary tree, with ;1
	jolietName string
	number     [2]uint16 // of a folder in the path tables
	dirBlock   [2]uint32 // of its records
	dirSize    [2]uint32 // bytes, whole blocks
	ce         []byte    // the continuation area of the records in a folder
	ceBlock    uint32
	block      uint32 // of the content
}

// Numbers of the two trees in the fields above.
const (
	primary = 0
	joliet  = 1
)

// maxLink is the longest target of a link: of an image with a longer one, libisofs
// (xorriso) reads nothing at all.
const maxLink = 1023

// maxFolders is what the two bytes of a path table can number.
const maxFolders = 65535

func (v *volume) scan(dir, out string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	own, _ := os.Stat(out) // nil when there is none
	v.root = &node{path: dir, mode: fs.ModeDir | 0o755, time: v.clamp(st.ModTime())}
	v.root.parent = v.root
	level := []*node{v.root}
	for depth := 1; len(level) > 0; depth++ {
		const foreseen = 8 // ECMA-119 6.8.2.1
		v.made.Deep = v.made.Deep || depth > foreseen
		v.dirs = append(v.dirs, level...)
		if len(v.dirs) > maxFolders {
			return fmt.Errorf("more than %d folders", maxFolders)
		}
		var next []*node
		for _, d := range level {
			below, err := v.read(d, own)
			if err != nil {
				return err
			}
			next = append(next, below...)
		}
		level = next
	}
	v.made.Folders = len(v.dirs) - 1
	return nil
}

// clamp brings a time to what the options allow, and to whole seconds.
func (v *volume) clamp(t time.Time) time.Time {
	if t.After(v.o.Time) {
		t = v.o.Time
	}
	return t.UTC().Truncate(time.Second)
}

// read lists a folder, and returns the folders in it.
func (v *volume) read(d *node, own fs.FileInfo) ([]*node, error) {
	entries, err := os.ReadDir(d.path) // sorted by name
	if err != nil {
		return nil, err
	}
	var dirs []*node
	for _, e := range entries {
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since
		}
		if err != nil {
			return nil, err
		}
		if own != nil && os.SameFile(st, own) {
			return nil, fmt.Errorf("%s %w", filepath.Join(d.path, e.Name()), ErrSource)
		}
		n := &node{name: e.Name(), path: filepath.Join(d.path, e.Name()), time: v.clamp(st.ModTime()), parent: d}
		switch st.Mode().Type() {
		case fs.ModeDir:
			n.mode = fs.ModeDir | 0o555
			dirs = append(dirs, n)
		case fs.ModeSymlink:
			if v.o.NoRockRidge {
				v.made.Left = append(v.made.Left, n.path+": it is a link, which needs Rock Ridge")
				continue
			}
			if n.link, err = os.Readlink(n.path); err != nil {
				return nil, err
			}
			if len(n.link) > maxLink {
				v.made.Left = append(v.made.Left, fmt.Sprintf("%s: it is a link to a name of %d bytes; readers take %d", n.path, len(n.link), maxLink))
				continue
			}
			n.mode = fs.ModeSymlink | 0o777
		case 0:
			n.mode, n.size = 0o444, st.Size()
			if st.Mode()&0o111 != 0 {
				n.mode = 0o555
			}
			v.files = append(v.files, n)
			v.made.Files++
		default:
			v.made.Left = append(v.made.Left, n.path+": it is a device, a pipe or a socket")
			continue
		}
		d.children = append(d.children, n)
	}
	return dirs, nil
}

// find returns the node at a path below, or nil.
func (n *node) find(path []string) *node {
	if len(path) == 0 {
		return n
	}
	for _, c := range n.children {
		if c.name == path[0] {
			return c.find(path[1:])
		}
	}
	return nil
}

// name gives all nodes their names in both trees, unique in each folder.
func (v *volume) name() {
	for _, d := range v.dirs {
		used := [2]map[string]int{make(map[string]int), make(map[string]int)}
		for _, c := range d.children {
			c.isoName = unique(used[primary], isoName(c.name, c.mode.IsDir()), maxISO)
			if !c.mode.IsDir() {
				c.isoName += ";1"
			}
			c.jolietName = unique(used[joliet], jolietName(c.name), maxJoliet)
			if c.jolietName != c.name && !v.o.NoJoliet {
				v.made.Renamed = append(v.made.Renamed, [2]string{c.path, c.jolietName})
			}
		}
	}
}

// Lengths of names: a file's name, its dot and its extension in ISO 9660 (level 2
// and 3: 30 characters and the dot), and a name in Joliet, in units of UTF-16.
const (
	maxISO    = 31
	maxJoliet = 64
)

// isoName makes a name of the characters that ECMA-119 allows.
func isoName(name string, dir bool) string {
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z':
				return r - 'a' + 'A'
			case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
				return r
			}
			return '_'
		}, s)
	}
	if dir {
		return cut(clean(name), maxISO)
	}
	stem, ext := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		stem, ext = name[:i], cut(clean(name[i+1:]), 8)
	}
	return cut(clean(stem), maxISO-1-len(ext)) + "." + ext
}

// jolietName replaces the characters that Joliet forbids.
func jolietName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`*/:;?\`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	return cutUTF16(name, maxJoliet)
}

func cut(s string, n int) string { return s[:min(len(s), max(0, n))] }

// cutUTF16 shortens a name to so many units of UTF-16, before its extension.
func cutUTF16(s string, most int) string {
	ext := filepath.Ext(s)
	if len(utf16Of(ext)) > 16 {
		ext = ""
	}
	stem := []rune(strings.TrimSuffix(s, ext))
	for len(stem) > 0 && len(utf16Of(string(stem)+ext)) > most {
		stem = stem[:len(stem)-1]
	}
	return string(stem) + ext
}

// unique returns a name of at most so many characters that is not used yet: with a
// number at the end of its stem where it is. Names that differ in case only are the
// same to some systems. used holds, for each name, the next number to try.
func unique(used map[string]int, name string, most int) string {
	wanted := strings.ToUpper(name)
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	for used[strings.ToUpper(name)] > 0 {
		number := fmt.Sprintf("_%d", used[wanted])
		used[wanted]++
		short := []rune(stem)
		for len(short) > 0 && len(utf16Of(string(short)+number+ext)) > most {
			short = short[:len(short)-1]
		}
		name = string(short) + number + ext
	}
	used[strings.ToUpper(name)] = 1
	return name
}

// sorted returns the children of a folder in the order of their records.
func (n *node) sorted(t int) []*node {
	all := slices.Clone(n.children)
	slices.SortFunc(all, func(a, b *node) int { return strings.Compare(a.key(t), b.key(t)) })
	return all
}

// key is what records are sorted by: in Joliet the units of UTF-16, here as they
// are stored; in ISO 9660 name and extension, filled with blanks (ECMA-119 9.3).
func (n *node) key(t int) string {
	if t == joliet {
		return string(ucs2(n.jolietName))
	}
	name, _, _ := strings.Cut(n.isoName, ";")
	stem, ext, _ := strings.Cut(name, ".")
	return fmt.Sprintf("%-31s%-31s", stem, ext)
}
