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
	var tables []table
	var current table
	var key string
	var text strings.Builder // comments may cut it into many parts
	inside, depth := 0, 0    // depth at which blkx began
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return tables, nil
		}
		if err != nil {
			return nil, err
		}
		switch x := token.(type) {
		case xml.StartElement:
			depth++
			text.Reset()
			switch {
			case x.Name.Local == "array" && key == "blkx" && inside == 0:
				inside = depth
			case x.Name.Local == "dict" && inside > 0:
				current = table{}
			}
		case xml.CharData:
			text.Write(x)
		case xml.EndElement:
			switch {
			case x.Name.Local == "key":
				key = strings.TrimSpace(text.String())
			case inside > 0 && x.Name.Local == "string" && key == "Name":
				current.name = strings.TrimSpace(text.String())
			case inside > 0 && x.Name.Local == "data" && key == "Data":
				if current.data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text.String()), "")); err != nil {
					return nil, err
				}
			case inside > 0 && x.Name.Local == "dict":
				tables = append(tables, current)
			case inside == depth && x.Name.Local == "array":
				inside = 0
			}
			depth--
		}
	}
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
