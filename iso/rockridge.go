package iso

import (
	"encoding/binary"
	"io/fs"
	"iter"
	"strings"
	"time"
)

// suspEntry is an entry of the System Use Sharing Protocol (IEEE P1281).
type suspEntry struct {
	sig  string
	data []byte // after signature, length and version
}

func (e suspEntry) is(sig string) bool { return e.sig == sig }

// suspEntries yields the entries of a system use field.
func suspEntries(b []byte) iter.Seq[suspEntry] {
	return func(yield func(suspEntry) bool) {
		for len(b) >= 4 {
			n := int(b[2])
			if n < 4 || n > len(b) || string(b[:2]) == "ST" {
				return
			}
			if !yield(suspEntry{string(b[:2]), b[4:n]}) {
				return
			}
			b = b[n:]
		}
	}
}

// maxContinuations bounds the continuation areas of one record.
const maxContinuations = 32

// rock is what Rock Ridge (IEEE P1282) says of an entry.
type rock struct {
	name      string
	mode      uint32
	hasMode   bool
	link      string
	isLink    bool
	modified  time.Time
	relocated bool  // RE: a directory shown elsewhere
	childAt   int64 // CL: where a moved directory is
}

// rockRidge reads the entries of a record and of its continuation areas.
func (f *FileSystem) rockRidge(rec *record) rock {
	var r rock
	var link linkBuilder
	use := rec.use
	if f.skip <= len(use) {
		use = use[f.skip:]
	}
	for range maxContinuations {
		var next []byte
		for e := range suspEntries(use) {
			if e.is("CE") && len(e.data) >= 24 {
				next = f.continuation(e.data)
				continue
			}
			r.take(e, &link)
		}
		if next == nil {
			break
		}
		use = next
	}
	if link.used {
		r.isLink, r.link = true, link.String()
	}
	return r
}

// continuation reads the area that a CE entry names (P1281 5.1).
func (f *FileSystem) continuation(d []byte) []byte {
	block, at, n := binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[8:]), binary.LittleEndian.Uint32(d[16:])
	b, err := readBlock(f.r, int64(block))
	if err != nil || at >= BlockSize || n > BlockSize-at {
		return nil
	}
	return b[at : at+n]
}

func (r *rock) take(e suspEntry, link *linkBuilder) {
	switch d := e.data; {
	case e.is("NM") && len(d) >= 1 && d[0]&6 == 0: // not "." or ".."
		r.name += string(d[1:])
	case e.is("PX") && len(d) >= 4:
		r.mode, r.hasMode = binary.LittleEndian.Uint32(d), true
	case e.is("SL") && len(d) >= 1:
		link.add(d[1:])
	case e.is("TF") && len(d) >= 1:
		r.times(d)
	case e.is("RE"):
		r.relocated = true
	case e.is("CL") && len(d) >= 4:
		r.childAt = int64(binary.LittleEndian.Uint32(d))
	}
}

// times takes the time of modification out of a TF entry (P1282 4.1.6).
func (r *rock) times(d []byte) {
	const creation, modify, long = 0x01, 0x02, 0x80
	if d[0]&modify == 0 || d[0]&long != 0 {
		return
	}
	at := 1
	if d[0]&creation != 0 {
		at += 7
	}
	if at+7 <= len(d) {
		r.modified = recordTime(d[at : at+7])
	}
}

// POSIX file types in the mode of PX.
const (
	posixType    = 0o170000
	posixDir     = 0o040000
	posixLink    = 0o120000
	posixRegular = 0o100000
)

func (r *rock) apply(e *Entry) {
	if !r.modified.IsZero() {
		e.ModTime = r.modified
	}
	if r.hasMode {
		e.HasMode = true
		e.Mode = e.Mode&fs.ModeType | fs.FileMode(r.mode&0o777)
		switch r.mode & posixType {
		case posixDir, posixLink, posixRegular, 0:
		default: // devices, pipes and sockets have no content
			e.Mode |= fs.ModeIrregular
		}
	}
	if r.isLink {
		e.Mode = e.Mode&^fs.ModeType | fs.ModeSymlink
		e.Link, e.Size, e.extents = r.link, 0, nil
	}
}

// linkBuilder joins the components of a symbolic link (P1282 4.1.3).
type linkBuilder struct {
	used      bool
	parts     []string
	continued bool // the last component goes on
}

func (l *linkBuilder) add(d []byte) {
	l.used = true
	for len(d) >= 2 && 2+int(d[1]) <= len(d) {
		flags, text := d[0], string(d[2:2+int(d[1])])
		switch {
		case flags&2 != 0:
			text = "."
		case flags&4 != 0:
			text = ".."
		case flags&8 != 0:
			text = "" // the root
		}
		if l.continued && len(l.parts) > 0 {
			l.parts[len(l.parts)-1] += text
		} else {
			l.parts = append(l.parts, text)
		}
		l.continued = flags&1 != 0
		d = d[2+int(d[1]):]
	}
}

func (l *linkBuilder) String() string {
	if len(l.parts) == 1 && l.parts[0] == "" {
		return "/"
	}
	return strings.Join(l.parts, "/")
}
