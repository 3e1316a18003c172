package dmg

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"spindle/internal/blocks"
)

// A table is the bytes of a table of runs, and the name of the partition.
type table struct {
	name string
	data []byte
}

// readTables reads the tables from the property list, or from the resource fork of files that
// have none.
func readTables(r io.ReaderAt, stored, listAt, listSize, forkAt, forkSize int64) ([]table, error) {
	at, size, what, parse := listAt, listSize, "property list", parseList
	if size == 0 {
		at, size, what, parse = forkAt, forkSize, "resource fork", parseFork
	}
	if size <= 0 || size > maxList || at < 0 || at > stored-size {
		return nil, fmt.Errorf("%w: a %s of %d bytes at byte %d", errFormat, what, size, at)
	}
	b := make([]byte, size)
	if err := blocks.ReadFull(r, b, at); err != nil {
		return nil, fmt.Errorf("%w: its %s: %w", errFormat, what, err)
	}
	tables, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("%w: its %s at byte %d: %w", errFormat, what, at, err)
	}
	if len(tables) == 0 {
		return nil, fmt.Errorf("%w: its %s at byte %d has no tables of runs", errFormat, what, at)
	}
	return tables, nil
}

// parseList takes the tables out of a property list: those below the key "blkx".
func parseList(b []byte) ([]table, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var p listParser
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p.tables, nil
		}
		if err != nil {
			return nil, err
		}
		switch x := token.(type) {
		case xml.StartElement:
			p.start(x.Name.Local)
		case xml.CharData:
			p.text.Write(x)
		case xml.EndElement:
			if err := p.end(x.Name.Local); err != nil {
				return nil, err
			}
		}
	}
}

// A listParser goes through the elements of a property list.
type listParser struct {
	tables  []table
	current table
	key     string
	text    strings.Builder // of the element; comments may cut it into many parts
	depth   int
	inside  int // the depth at which blkx began; 0: it is not inside
}

func (p *listParser) start(element string) {
	p.depth++
	p.text.Reset()
	switch {
	case element == "array" && p.key == "blkx" && p.inside == 0:
		p.inside = p.depth
	case element == "dict" && p.inside > 0:
		p.current = table{}
	}
}

func (p *listParser) end(element string) (err error) {
	text := strings.TrimSpace(p.text.String())
	switch {
	case element == "key":
		p.key = text
	case p.inside == 0:
	case element == "string" && p.key == "Name":
		p.current.name = text
	case element == "data" && p.key == "Data":
		p.current.data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	case element == "dict":
		p.tables = append(p.tables, p.current)
	case element == "array" && p.inside == p.depth:
		p.inside = 0
	}
	p.depth--
	return err
}

// parseFork takes the tables out of a resource fork (Inside Macintosh: More Macintosh Toolbox,
// page 1-121).
func parseFork(b []byte) ([]table, error) {
	part := func(at, n int64) []byte {
		if at < 0 || at > int64(len(b))-n {
			return make([]byte, n)
		}
		return b[at : at+n]
	}
	u16 := func(at int64) int64 { return int64(binary.BigEndian.Uint16(part(at, 2))) }
	u32 := func(at int64) int64 { return int64(binary.BigEndian.Uint32(part(at, 4))) }
	data, at := u32(0), u32(4)
	types := at + u16(at+24)
	names := at + u16(at+26)
	const refSize = 12
	most := len(b) / refSize // what lists them may overlap itself
	var tables []table
	for i := range u16(types) + 1 {
		e := types + 2 + 8*i
		if string(part(e, 4)) != "blkx" {
			continue
		}
		for k := range u16(e+4) + 1 {
			ref := types + u16(e+6) + refSize*k
			from := data + u32(ref+4)&0xFFFFFF
			size := u32(from)
			if size == 0 || from+4 > int64(len(b))-size {
				return nil, fmt.Errorf("a resource of %d bytes at byte %d of it", size, from)
			}
			if len(tables) == most {
				return nil, fmt.Errorf("more than %d tables of runs", most)
			}
			t := table{data: part(from+4, size)}
			if name := u16(ref + 2); name != 0xFFFF {
				t.name = string(part(names+name+1, int64(part(names+name, 1)[0])))
			}
			tables = append(tables, t)
		}
	}
	return tables, nil
}
