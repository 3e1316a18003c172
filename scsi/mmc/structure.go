package mmc

import (
	"context"
	"errors"
	"fmt"

	"spindle/scsi"
)

// StructureMedium is the family of media whose structures READ DISC STRUCTURE is
// asked for.
type StructureMedium uint8

// The families.
const (
	StructureDVD StructureMedium = 0
	StructureBD  StructureMedium = 1
)

// StructureFormat is what READ DISC STRUCTURE and SEND DISC STRUCTURE transfer
// (MMC-5 6.22, tables 388 and 428). A number means another thing for a BD.
type StructureFormat uint8

// The formats.
const (
	StructurePhysical      StructureFormat = 0x00 // BD: disc information
	StructureCopyright     StructureFormat = 0x01 // DVD
	StructureManufacturer  StructureFormat = 0x04 // DVD: 2048 bytes of the maker's choice
	StructurePreRecorded   StructureFormat = 0x0E // DVD-R, DVD-RW: pre-recorded information in the lead-in
	StructureADIP          StructureFormat = 0x11 // DVD+R, DVD+RW
	StructureLayerCapacity StructureFormat = 0x20 // DVD+R DL, DVD-R DL
)

// DiscStructure reads one structure of a layer of the disc, and returns what
// follows the four-byte header.
func (d *Drive) DiscStructure(ctx context.Context, m StructureMedium, f StructureFormat, layer int) ([]byte, error) {
	const (
		op   = scsi.OpReadDiscStructure
		size = 4100 // the longest structure, BD disc information
	)
	if err := errors.Join(within(op, "medium", int64(m), 0, 15), within(op, "layer", int64(layer), 0, 0xFF)); err != nil {
		return nil, err
	}
	cdb := newCDB(op)
	cdb[1] = byte(m)
	cdb[6] = byte(layer)
	cdb[7] = byte(f)
	put16(cdb[8:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), medium)
	if err != nil {
		return nil, err
	}
	if b, err = sized16(op, b, 4); err != nil {
		return nil, err
	}
	return b[4:], nil
}

// dvdStructure reads a structure of layer 0 of a DVD that has at least so many bytes.
func (d *Drive) dvdStructure(ctx context.Context, f StructureFormat, least int) ([]byte, error) {
	b, err := d.DiscStructure(ctx, StructureDVD, f, 0)
	if err != nil {
		return nil, err
	}
	return b, need(scsi.OpReadDiscStructure, b, least)
}

// BookType is what kind of DVD a disc says it is (structure 00h; ECMA-337 14.1.1).
type BookType uint8

// The book types.
const (
	BookDVDROM      BookType = 0x0
	BookDVDRAM      BookType = 0x1
	BookDVDR        BookType = 0x2
	BookDVDRW       BookType = 0x3
	BookDVDPlusRW   BookType = 0x9
	BookDVDPlusR    BookType = 0xA
	BookDVDPlusRWDL BookType = 0xD
	BookDVDPlusRDL  BookType = 0xE
)

var bookTypeNames = map[BookType]string{
	BookDVDROM: "DVD-ROM", BookDVDRAM: "DVD-RAM", BookDVDR: "DVD-R", BookDVDRW: "DVD-RW", BookDVDPlusRW: "DVD+RW",
	BookDVDPlusR: "DVD+R", BookDVDPlusRWDL: "DVD+RW DL", BookDVDPlusRDL: "DVD+R DL",
}

func (t BookType) String() string { return name(bookTypeNames, t, "book type") }

// DVDPhysical is the physical format information of a DVD (structure 00h).
type DVDPhysical struct {
	BookType    BookType
	PartVersion uint8
	Size80mm    bool
	Layers      int
	Opposite    bool   // opposite track path: the second layer is read inwards
	Start       uint32 // physical sector number of the first data sector
	End         uint32 // physical sector number of the last data sector
	Layer0End   uint32 // last one of layer 0, or 0
}

// DVDPhysical reads the physical format information.
func (d *Drive) DVDPhysical(ctx context.Context) (DVDPhysical, error) {
	b, err := d.dvdStructure(ctx, StructurePhysical, 16)
	if err != nil {
		return DVDPhysical{}, err
	}
	return DVDPhysical{
		BookType: BookType(b[0] >> 4), PartVersion: b[0] & 15, Size80mm: b[1]>>4 == 1,
		Layers: int(b[2]>>5&3) + 1, Opposite: bit(b[2], 4),
		Start: get24(b[5:]), End: get24(b[9:]), Layer0End: get24(b[13:]),
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

// Protection is the copyright protection system of a DVD (structure 01h).
type Protection uint8

// The protection systems.
const (
	ProtectionNone Protection = 0
	ProtectionCSS  Protection = 1 // or CPPM
	ProtectionCPRM Protection = 2
)

var protectionNames = map[Protection]string{ProtectionNone: "none", ProtectionCSS: "CSS or CPPM", ProtectionCPRM: "CPRM"}

func (p Protection) String() string { return name(protectionNames, p, "protection") }

// DVDCopyright is the copyright information of a DVD (structure 01h).
type DVDCopyright struct {
	Protection Protection
	Regions    uint8 // a set bit forbids the region of its number plus one
}

// DVDCopyright reads the copyright information.
func (d *Drive) DVDCopyright(ctx context.Context) (DVDCopyright, error) {
	b, err := d.dvdStructure(ctx, StructureCopyright, 2)
	if err != nil {
		return DVDCopyright{}, err
	}
	return DVDCopyright{Protection: Protection(b[0]), Regions: b[1]}, nil
}

// LayerCapacity is how a DVD+R DL or DVD-R DL is divided (structure 20h).
type LayerCapacity struct {
	Layer0 uint32 // blocks of the first layer
	Fixed  bool   // and that cannot be changed any more
}

// LayerCapacity reads how many blocks the first layer holds.
func (d *Drive) LayerCapacity(ctx context.Context) (LayerCapacity, error) {
	b, err := d.dvdStructure(ctx, StructureLayerCapacity, 8)
	if err != nil {
		return LayerCapacity{}, err
	}
	return LayerCapacity{Layer0: get32(b[4:]), Fixed: bit(b[0], 7)}, nil
}

// SetLayer0Capacity moves the layer break of a blank DVD+R DL (SEND DISC
// STRUCTURE 20h, 6.36). blocks must be a multiple of 16.
func (d *Drive) SetLayer0Capacity(ctx context.Context, blocks uint32) error {
	const op = scsi.OpSendDiscStructure
	if blocks == 0 || blocks%16 != 0 {
		return fmt.Errorf("%s: %w: %d blocks are no multiple of 16", op, ErrArgument, blocks)
	}
	data := make([]byte, 12)
	put16(data, uint16(len(data)-2))
	put32(data[8:], blocks)
	cdb := newCDB(op)
	cdb[7] = byte(StructureLayerCapacity)
	put16(cdb[8:], uint16(len(data)))
	return d.out(ctx, cdb, data, 3*medium) // some drives calibrate now (growisofs)
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
	b, err := d.DiscStructure(ctx, StructureBD, StructurePhysical, 0)
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
		return nil, fmt.Errorf("%s: %w: no disc information", scsi.OpReadDiscStructure, ErrShortReply)
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

// MediaID names the maker and the model of a recordable disc: for a CD the start
// of its lead-in, which identifies the maker (Orange Book), for others what
// stands in the disc. It is empty where nothing is known.
func (d *Drive) MediaID(ctx context.Context, p Profile) string {
	switch {
	case p == ProfileCDR || p == ProfileCDRW:
		if a, err := d.ATIP(ctx); err == nil {
			return a.LeadIn.String()
		}
	case p.IsBD():
		if l, err := d.BDInfo(ctx); err == nil && l[0].Maker != "" {
			return l[0].Maker + "/" + l[0].MediaID
		}
	case p == ProfileDVDPlusR || p == ProfileDVDPlusRW || p == ProfileDVDPlusRDL:
		if b, err := d.dvdStructure(ctx, StructureADIP, 30); err == nil {
			return text(b[19:27]) + "/" + text(b[27:30])
		}
	case p.IsDVD():
		b, err := d.dvdStructure(ctx, StructurePreRecorded, 31)
		if err == nil && b[16] == 3 && b[24] == 4 {
			return text(b[17:23]) + text(b[25:31])
		}
	}
	return ""
}
