package mmc

import (
	"context"
	"errors"
	"fmt"

	"spindle/scsi"
)

// Formats of READ DISC STRUCTURE (6.22 of MMC-5).
const (
	structPhysical     = 0x00
	structCopyright    = 0x01
	structManufacturer = 0x04
)

// Media types of READ DISC STRUCTURE.
const (
	structDVD = 0
	structBD  = 1
)

// DiscStructure reads one structure of a DVD (bd false) or BD and returns what
// follows the four-byte header.
func (d *Drive) DiscStructure(ctx context.Context, bd bool, format byte, layer int) ([]byte, error) {
	const size = 4100 // the longest structure, BD disc information
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpReadDiscStructure)
	if bd {
		cdb[1] = structBD
	} else {
		cdb[1] = structDVD
	}
	cdb[6] = byte(layer)
	cdb[7] = format
	put16(cdb[8:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
	if err != nil {
		return nil, err
	}
	if b, err = sized16(scsi.OpReadDiscStructure, b, 4); err != nil {
		return nil, err
	}
	return b[4:], nil
}

// DVDPhysical is the physical format information of a DVD (structure 00h).
type DVDPhysical struct {
	BookType    uint8 // 0 ROM, 1 RAM, 2 -R, 3 -RW, 9 +RW, 10 +R, 13 +RW DL, 14 +R DL
	PartVersion uint8
	Size80mm    bool
	Layers      int
	Opposite    bool // opposite track path: the second layer is read inwards
	Start       uint32
	End         uint32 // physical sector number of the last data sector
	Layer0End   uint32 // last one of layer 0, or 0
}

// BookTypeName gives the name of a DVD book type.
func BookTypeName(t uint8) string {
	switch t {
	case 0:
		return "DVD-ROM"
	case 1:
		return "DVD-RAM"
	case 2:
		return "DVD-R"
	case 3:
		return "DVD-RW"
	case 9:
		return "DVD+RW"
	case 10:
		return "DVD+R"
	case 13:
		return "DVD+RW DL"
	case 14:
		return "DVD+R DL"
	}
	return fmt.Sprintf("book type %Xh", t)
}

// DVDPhysical reads the physical format information.
func (d *Drive) DVDPhysical(ctx context.Context) (DVDPhysical, error) {
	b, err := d.DiscStructure(ctx, false, structPhysical, 0)
	if err != nil {
		return DVDPhysical{}, err
	}
	if err := need(scsi.OpReadDiscStructure, b, 16); err != nil {
		return DVDPhysical{}, err
	}
	psn := func(i int) uint32 { return uint32(b[i])<<16 | uint32(b[i+1])<<8 | uint32(b[i+2]) }
	return DVDPhysical{
		BookType: b[0] >> 4, PartVersion: b[0] & 15, Size80mm: b[1]>>4 == 1,
		Layers: int(b[2]>>5&3) + 1, Opposite: bit(b[2], 4),
		Start: psn(5), End: psn(9), Layer0End: psn(13),
	}, nil
}

// LayerBreak returns the number of sectors in layer 0 of a disc of two layers,
// which is the address of the first sector of layer 1, or 0 where the
// structure states none.
func (p *DVDPhysical) LayerBreak() int64 {
	end := p.Layer0End
	if !p.Opposite {
		end = p.End
	}
	if p.Layers < 2 || end < p.Start {
		return 0
	}
	return int64(end) - int64(p.Start) + 1
}

// DVDCopyright is the copyright information of a DVD (structure 01h).
type DVDCopyright struct {
	Protection uint8 // 0 none, 1 CSS or CPPM, 2 CPRM
	Regions    uint8 // a set bit forbids the region of its number plus one
}

// DVDCopyright reads the copyright information.
func (d *Drive) DVDCopyright(ctx context.Context) (DVDCopyright, error) {
	b, err := d.DiscStructure(ctx, false, structCopyright, 0)
	if err != nil {
		return DVDCopyright{}, err
	}
	if err := need(scsi.OpReadDiscStructure, b, 2); err != nil {
		return DVDCopyright{}, err
	}
	return DVDCopyright{Protection: b[0], Regions: b[1]}, nil
}

// DVDManufacturer reads the disc manufacturing information (structure 04h), 2048
// bytes of the maker's choice.
func (d *Drive) DVDManufacturer(ctx context.Context) ([]byte, error) {
	return d.DiscStructure(ctx, false, structManufacturer, 0)
}

// BDLayer is one unit of the disc information of a BD (structure 00h).
type BDLayer struct {
	ID       string // BDO (pressed), BDR, BDW
	Layer    int
	FirstAUN uint32 // first and last address unit number of the layer
	LastAUN  uint32
	LastPSN  uint32 // last user sector of the disc
	Maker    string // media id, recordable discs only
	MediaID  string
}

// BDInfo reads the disc information of a BD: one unit for each layer.
func (d *Drive) BDInfo(ctx context.Context) ([]BDLayer, error) {
	b, err := d.DiscStructure(ctx, true, structPhysical, 0)
	if err != nil {
		return nil, err
	}
	var all []BDLayer
	for len(b) >= 64 && b[0] == 'D' && b[1] == 'I' {
		size := 64
		l := BDLayer{
			ID: text(b[8:11]), Layer: int(b[3] & 7),
			LastPSN: get32(b[20:]), FirstAUN: get32(b[24:]), LastAUN: get32(b[28:]),
		}
		if l.ID != "BDO" && len(b) >= 112 {
			size = 112
			l.Maker, l.MediaID = text(b[100:106]), text(b[106:109])
		}
		if len(all) == 0 || all[len(all)-1].Layer != l.Layer {
			all = append(all, l)
		}
		b = b[size:]
	}
	if len(all) == 0 {
		return nil, errors.New("READ DISC STRUCTURE: no BD disc information")
	}
	return all, nil
}

// BDLayerBreak returns the number of sectors in the first layer of a BD of
// several layers, or 0. The rule is redumper's.
func BDLayerBreak(layers []BDLayer) int64 {
	if len(layers) < 2 || layers[0].LastAUN < layers[0].FirstAUN {
		return 0
	}
	return int64(layers[0].LastAUN) - int64(layers[0].FirstAUN) + 2
}
