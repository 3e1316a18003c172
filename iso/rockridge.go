package iso

import (
	"encoding/binary"
	"io/fs"
	"iter"
	"strconv"
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
	uid, gid  uint32
	link      string
	isLink    bool
	modified  time.Time
	accessed  time.Time
	created   time.Time
	relocated bool  // RE: a directory shown elsewhere
	childAt   int64 // CL: where a moved directory is
}

// rockRidge reads the entries of a record and of its continuation areas.
func (t *isoTree) rockRidge(rec *record) rock {
	var r rock
	var link linkBuilder
	use := rec.use
	if t.skip <= len(use) {
		use = use[t.skip:]
	}
	for range maxContinuations {
		var next []byte
		for e := range suspEntries(use) {
			if e.is("CE") && len(e.data) >= 24 {
				next = t.continuation(e.data)
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
func (t *isoTree) continuation(d []byte) []byte {
	block, at, n := binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[8:]), binary.LittleEndian.Uint32(d[16:])
	b, err := readBlock(t.r, int64(block))
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
		if len(d) >= 32 { // each number twice, and the links between
			r.uid, r.gid = binary.LittleEndian.Uint32(d[16:]), binary.LittleEndian.Uint32(d[24:])
		}
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

// times takes the times of a TF entry, in the order of its flags (P1282 4.1.6).
func (r *rock) times(d []byte) {
	const long = 0x80
	size, read := 7, recordTime
	if d[0]&long != 0 {
		size, read = 17, longTime
	}
	at := 1
	for i, to := range [...]*time.Time{&r.created, &r.modified, &r.accessed} {
		if d[0]&(1<<i) == 0 {
			continue
		}
		if at+size > len(d) {
			return
		}
		*to = read(d[at : at+size])
		at += size
	}
}

// longTime reads a date and time of 17 bytes: digits, and the zone (ECMA-119 8.4.26.1).
func longTime(b []byte) time.Time {
	t, err := time.Parse("20060102150405", string(b[:14]))
	if err != nil {
		return time.Time{}
	}
	hundredths, _ := strconv.Atoi(string(b[14:16]))
	zone := time.FixedZone("", int(int8(b[16]))*15*60)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), hundredths*int(10*time.Millisecond), zone)
}

// typeBits are those of the type in a mode of POSIX.
const typeBits = 0o170000

// posixTypes are the file types in the mode of PX, and in that of HFS Plus.
var posixTypes = map[uint32]fs.FileMode{
	0:        0,
	0o010000: fs.ModeNamedPipe,
	0o020000: fs.ModeDevice | fs.ModeCharDevice,
	0o040000: fs.ModeDir,
	0o060000: fs.ModeDevice,
	0o100000: 0,
	0o120000: fs.ModeSymlink,
	0o140000: fs.ModeSocket,
}

// apply completes the entry of a record. Whether it is a directory, the record says.
func (r *rock) apply(e *Entry) {
	if !r.modified.IsZero() {
		e.ModTime = r.modified
	}
	e.AccessTime, e.CreateTime = r.accessed, r.created
	if r.hasMode {
		e.HasMode, e.UID, e.GID = true, r.uid, r.gid
		e.Mode = e.Mode.Type() | fs.FileMode(r.mode&0o777)
		kind, known := posixTypes[r.mode&typeBits]
		switch {
		case e.IsDir():
		case !known:
			e.Mode |= fs.ModeIrregular
		case kind&(fs.ModeDir|fs.ModeSymlink) == 0: // a link has its SL entry, a moved directory CL
			e.Mode |= kind
		}
		if !e.Mode.IsRegular() {
			e.Size, e.extents = 0, nil
		}
	}
	if r.isLink {
		e.Mode = e.Mode.Perm() | fs.ModeSymlink
		e.Link, e.Size, e.extents, e.dir = r.link, 0, nil, ref{}
	}
}

// linkBuilder joins the components of a symbolic link (P1282 4.1.3).
type linkBuilder struct {
	used      bool
	parts     []string
	continued bool // the last component continues
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
	return validText(strings.Join(l.parts, "/"))
}
