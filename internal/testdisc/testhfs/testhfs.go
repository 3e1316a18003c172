// Package testhfs makes small volumes of HFS and HFS Plus, and Apple partition maps, for tests.
package testhfs

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
)

// A File is what a volume gets.
type File struct {
	Path           string // with "/" between folders; ":" stands for a slash of the Mac
	Data, Resource []byte
	Type           string // type and creator, eight characters
	Mode           uint16 // of POSIX: only HFS Plus has it
	Special        uint32 // of a hard link: where it leads
	Owner          byte   // flags of the owner, as one that says compressed
	Pieces         int    // how many the data are in
	Packed         []byte // the attribute that says how the data are compressed: only HFS Plus has it
}

// Options say what volume to make.
type Options struct {
	Plus  bool
	Name  string
	Files []File
}

const (
	blockSize = 512
	made      = 3_155_760_000 // 2004-01-01 00:00:00
)

// A volume is being made.
type volume struct {
	Options
	node       int // bytes
	blocks     []byte
	first      int // sectors in front of block 0
	next       uint32
	folders    map[string]uint32
	records    []record // of the catalogue
	extents    []record
	attributes []record
}

type record struct {
	key, data []byte // the key without its length
	order     []byte // of the tree, by which it is sorted; nil: the key itself
}

// Make makes a volume.
func Make(o Options) []byte {
	v := &volume{Options: o, node: 512, first: 4, next: 16, folders: map[string]uint32{".": 2}}
	if o.Plus {
		v.node, v.first = 1024, 0
		v.blocks = make([]byte, 3*blockSize) // the header is in block 2
	}
	trees := len(v.blocks)
	const reserved = 160 * blockSize // for the trees
	v.blocks = append(v.blocks, make([]byte, reserved)...)
	v.addFolder(1, 2, o.Name)
	for _, f := range o.Files {
		v.addFile(&f)
	}
	extents, catalog := v.tree(v.extents), v.tree(v.records)
	copy(v.blocks[trees:], extents)
	copy(v.blocks[trees+len(extents):], catalog)
	attributes := v.tree(v.attributes)
	copy(v.blocks[trees+len(extents)+len(catalog):], attributes)
	if len(extents)+len(catalog)+len(attributes) > reserved {
		panic("testhfs: too many files")
	}
	v.blocks = append(v.blocks, make([]byte, 2*blockSize)...) // the other copy of the header
	at := func(b int) int { return b / blockSize }
	x := [2][2]int{{at(trees), at(len(extents))}, {at(trees + len(extents)), at(len(catalog))}}
	if o.Plus {
		head := v.plusHeader([3][2]int{x[0], x[1], {at(trees + len(extents) + len(catalog)), at(len(attributes))}})
		copy(v.blocks[2*blockSize:], head)
		copy(v.blocks[len(v.blocks)-2*blockSize:], head)
		return whole(v.blocks)
	}
	out := make([]byte, v.first*blockSize)
	copy(out[2*blockSize:], v.header(x))
	return whole(append(out, v.blocks...))
}

// whole fills up the last sector of a disc.
func whole(b []byte) []byte { return append(b, make([]byte, -len(b)&2047)...) }

func (v *volume) header(x [2][2]int) []byte {
	be := binary.BigEndian
	b := make([]byte, 512)
	copy(b, "BD")
	be.PutUint32(b[2:], made)
	be.PutUint16(b[18:], uint16(len(v.blocks)/blockSize))
	be.PutUint32(b[20:], blockSize)
	be.PutUint16(b[28:], uint16(v.first))
	b[36] = byte(len(v.Name))
	copy(b[37:], v.Name)
	for i, at := range []int{130, 146} {
		be.PutUint32(b[at:], uint32(x[i][1]*blockSize))
		be.PutUint16(b[at+4:], uint16(x[i][0]))
		be.PutUint16(b[at+6:], uint16(x[i][1]))
	}
	return b
}

func (v *volume) plusHeader(x [3][2]int) []byte {
	be := binary.BigEndian
	b := make([]byte, 512)
	copy(b, "H+\x00\x04")
	be.PutUint32(b[16:], made)
	be.PutUint32(b[40:], blockSize)
	be.PutUint32(b[44:], uint32(len(v.blocks)/blockSize))
	for i, at := range []int{192, 272, 352} {
		copy(b[at:], v.fork(x[i][1]*blockSize, [][2]int{x[i]}))
	}
	return b
}

// fork makes the description of a fork of HFS Plus.
func (v *volume) fork(size int, extents [][2]int) []byte {
	be := binary.BigEndian
	b := be.AppendUint64(nil, uint64(size))
	b = be.AppendUint32(b, 0)
	b = be.AppendUint32(b, uint32((size+blockSize-1)/blockSize))
	return append(b, v.list(extents, 8)...)
}

// list makes a record of extents.
func (v *volume) list(extents [][2]int, n int) []byte {
	be := binary.BigEndian
	var b []byte
	for _, x := range extents[:min(n, len(extents))] {
		if v.Plus {
			b = be.AppendUint32(be.AppendUint32(b, uint32(x[0])), uint32(x[1]))
		} else {
			b = be.AppendUint16(be.AppendUint16(b, uint16(x[0])), uint16(x[1]))
		}
	}
	size := 4
	if v.Plus {
		size = 8
	}
	return append(b, make([]byte, n*size-len(b))...)
}

// store puts a fork into so many pieces. It returns the first extents, and lists the others.
func (v *volume) store(id uint32, kind byte, content []byte, pieces int) [][2]int {
	most := 3
	if v.Plus {
		most = 8
	}
	var all [][2]int
	size := (len(content)/max(pieces, 1) + blockSize) / blockSize * blockSize
	for len(content) > 0 {
		n := min(size, len(content))
		all = append(all, [2]int{len(v.blocks) / blockSize, (n + blockSize - 1) / blockSize})
		v.blocks = append(v.blocks, content[:n]...)
		v.blocks = append(v.blocks, make([]byte, -len(v.blocks)&(blockSize-1)+blockSize)...) // and a gap
		content = content[n:]
	}
	be := binary.BigEndian
	have := 0
	for i := range all {
		if i > 0 && i%most == 0 {
			key := be.AppendUint16(be.AppendUint32([]byte{kind}, id), uint16(have))
			if v.Plus {
				key = be.AppendUint32(be.AppendUint32([]byte{kind, 0}, id), uint32(have))
			}
			order := be.AppendUint32(append(be.AppendUint32(nil, id), kind), uint32(have)) // the file counts first
			v.extents = append(v.extents, record{key, v.list(all[i:], most), order})
		}
		have += all[i][1]
	}
	return all
}

// key makes a key of the catalogue.
func (v *volume) key(parent uint32, name string) []byte {
	be := binary.BigEndian
	name = strings.ReplaceAll(name, ":", "/")
	if v.Plus {
		units := utf16.Encode([]rune(name))
		b := be.AppendUint16(be.AppendUint32(nil, parent), uint16(len(units)))
		for _, u := range units {
			b = be.AppendUint16(b, u)
		}
		return b
	}
	roman, _ := charmap.Macintosh.NewEncoder().String(name)
	b := be.AppendUint32([]byte{0}, parent)
	return append(append(b, byte(len(roman))), roman...)
}

// folder returns the number of a folder, which it makes.
func (v *volume) folder(name string) uint32 {
	if id, ok := v.folders[name]; ok {
		return id
	}
	parent := v.folder(path.Dir(name))
	id := v.id()
	v.folders[name] = id
	v.addFolder(parent, id, path.Base(name))
	return id
}

func (v *volume) id() uint32 { v.next++; return v.next - 1 }

// addFolder adds a folder, and the record that leads back to it.
func (v *volume) addFolder(parent, id uint32, name string) {
	be := binary.BigEndian
	var b, thread []byte
	if v.Plus {
		b, thread = make([]byte, 88), []byte{0, 3, 0, 0}
		b[1] = 1
		be.PutUint32(b[8:], id)
		be.PutUint32(b[16:], made)
		thread = append(thread, v.key(parent, name)...)
	} else {
		b, thread = make([]byte, 70), make([]byte, 46)
		b[0], thread[0] = 1, 3
		be.PutUint32(b[6:], id)
		be.PutUint32(b[14:], made)
		copy(thread[10:], v.key(parent, name)[1:])
	}
	v.records = append(v.records, record{key: v.key(parent, name), data: b}, record{key: v.key(id, ""), data: thread})
}

// addFile adds a file, and its folders.
func (v *volume) addFile(f *File) {
	be := binary.BigEndian
	parent := v.folder(path.Dir(f.Path))
	if strings.HasSuffix(f.Path, "/") {
		v.folder(path.Clean(f.Path))
		return
	}
	id := v.id()
	data, resource := v.store(id, 0, f.Data, f.Pieces), v.store(id, 0xFF, f.Resource, 1)
	b := make([]byte, 102)
	if v.Plus {
		b = make([]byte, 88)
		b[1] = 2
		be.PutUint32(b[8:], id)
		be.PutUint32(b[16:], made)
		b[41] = f.Owner
		be.PutUint16(b[42:], f.Mode)
		be.PutUint32(b[44:], f.Special)
		copy(b[48:], f.Type)
		b = append(append(b, v.fork(len(f.Data), data)...), v.fork(len(f.Resource), resource)...)
		if f.Packed != nil {
			v.addAttribute(id, "com.apple.decmpfs", f.Packed)
		}
	} else {
		b[0] = 2
		copy(b[4:], f.Type)
		be.PutUint32(b[20:], id)
		be.PutUint32(b[26:], uint32(len(f.Data)))
		be.PutUint32(b[36:], uint32(len(f.Resource)))
		be.PutUint32(b[48:], made)
		copy(b[74:], v.list(data, 3))
		copy(b[86:], v.list(resource, 3))
	}
	v.records = append(v.records, record{key: v.key(parent, path.Base(f.Path)), data: b})
}

// addAttribute adds an extended attribute of a file.
func (v *volume) addAttribute(id uint32, name string, content []byte) {
	be := binary.BigEndian
	key := be.AppendUint32(be.AppendUint32([]byte{0, 0}, id), 0)
	units := utf16.Encode([]rune(name))
	key = be.AppendUint16(key, uint16(len(units)))
	for _, u := range units {
		key = be.AppendUint16(key, u)
	}
	const inline = 0x10
	data := be.AppendUint32(append(be.AppendUint32(nil, inline), make([]byte, 8)...), uint32(len(content)))
	v.attributes = append(v.attributes, record{key: key, data: append(data, content...)})
}

// Map puts a volume behind an Apple partition map whose blocks have a size.
func Map(vol []byte, block int) []byte {
	be := binary.BigEndian
	const start = 16 << 10
	b := make([]byte, start)
	copy(b, "ER")
	be.PutUint16(b[2:], uint16(block))
	for i, p := range []struct {
		kind       string
		from, size int
	}{{"Apple_partition_map", block, 2 * block}, {"Apple_HFS", start, len(vol)}} {
		e := b[(i+1)*block:]
		copy(e, "PM")
		be.PutUint32(e[4:], 2)
		be.PutUint32(e[8:], uint32(p.from/block))
		be.PutUint32(e[12:], uint32(p.size/block))
		copy(e[48:], p.kind)
	}
	return append(b, vol...)
}

// Wrap puts a volume of HFS Plus into one of HFS.
func Wrap(vol []byte) []byte {
	be := binary.BigEndian
	out := Make(Options{Name: "wrapper"})
	first := (len(out) - 4*blockSize) / blockSize
	for len(vol)/blockSize >= 1<<15 {
		panic("testhfs: too large to be wrapped")
	}
	b := out[2*blockSize:]
	copy(b[124:], "H+")
	be.PutUint16(b[126:], uint16(first))
	be.PutUint16(b[128:], uint16(len(vol)/blockSize))
	return append(out, vol...)
}

func (r *record) sort() []byte {
	if r.order != nil {
		return r.order
	}
	return r.key
}

// tree makes the file of a B-tree.
func (v *volume) tree(records []record) []byte {
	slices.SortFunc(records, func(a, b record) int { return bytes.Compare(a.sort(), b.sort()) })
	nodes := [][]byte{nil} // the header comes last
	level, height := records, 0
	var root, firstLeaf uint32
	for len(level) > 0 {
		height++
		kind := byte(0)
		if height == 1 {
			kind, firstLeaf = 0xFF, uint32(len(nodes))
		}
		begin := len(nodes)
		var up []record
		for len(level) > 0 {
			key := level[0].key
			var n []byte
			n, level = v.makeNode(level, kind, height, len(nodes), kind == 0)
			up = append(up, record{key: key, data: binary.BigEndian.AppendUint32(nil, uint32(len(nodes)))})
			nodes = append(nodes, n)
		}
		binary.BigEndian.PutUint32(nodes[len(nodes)-1], 0) // the last of its level
		root, level = uint32(begin), up
		if len(up) == 1 {
			break
		}
	}
	be := binary.BigEndian
	head := make([]byte, v.node)
	head[8] = 1
	be.PutUint16(head[10:], 3)
	be.PutUint16(head[14:], uint16(height))
	be.PutUint32(head[16:], root)
	be.PutUint32(head[20:], uint32(len(records)))
	be.PutUint32(head[24:], firstLeaf)
	be.PutUint16(head[32:], uint16(v.node))
	be.PutUint32(head[36:], uint32(len(nodes)))
	nodes[0] = head
	return bytes.Join(nodes, nil)
}

// makeNode makes a node of as many records as it takes, and returns the rest.
func (v *volume) makeNode(all []record, kind byte, height, number int, index bool) ([]byte, []record) {
	be := binary.BigEndian
	b := make([]byte, v.node)
	b[8], b[9] = kind, byte(height)
	be.PutUint32(b, uint32(number+1))
	at, n := 14, 0
	for n < len(all) {
		r := v.record(all[n], index)
		if at+len(r)+2*(n+2) > v.node {
			break
		}
		copy(b[at:], r)
		be.PutUint16(b[v.node-2*(n+1):], uint16(at))
		at += len(r)
		n++
	}
	be.PutUint16(b[v.node-2*(n+1):], uint16(at))
	be.PutUint16(b[10:], uint16(n))
	return b, all[n:]
}

func (v *volume) record(r record, index bool) []byte {
	var b []byte
	if v.Plus {
		b = append(binary.BigEndian.AppendUint16(nil, uint16(len(r.key))), r.key...)
	} else {
		key := r.key
		if index && len(key) != 7 {
			key = append(slices.Clone(key), make([]byte, 37-len(key))...)
		}
		b = append([]byte{byte(len(key))}, key...)
	}
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	b = append(b, r.data...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	return b
}
