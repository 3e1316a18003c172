package mmc

import (
	"context"
	"fmt"

	"spindle/addr"
	"spindle/scsi"
)

// TestUnitReady asks whether the medium can be accessed (SPC-4 6.47).
func (d *Drive) TestUnitReady(ctx context.Context) error {
	return d.none(ctx, newCDB(scsi.OpTestUnitReady), medium)
}

// RequestSense asks for sense data outside of an error: drives state the
// progress of long operations in it (SPC-4 6.39).
func (d *Drive) RequestSense(ctx context.Context) (scsi.Sense, error) {
	const size = 18
	cdb := newCDB(scsi.OpRequestSense)
	cdb[4] = size
	b, err := d.in(ctx, cdb, make([]byte, size), quick)
	if err != nil {
		return scsi.Sense{}, err
	}
	return scsi.ParseSense(b)
}

// Inquiry is the standard INQUIRY data (SPC-4 6.6.2).
type Inquiry struct {
	DeviceType uint8 // 5: CD, DVD or BD drive
	Removable  bool
	Version    uint8
	Vendor     string
	Product    string
	Revision   string
	Specific   string // bytes 36 to 55: often the firmware's date
}

// Inquiry asks who the drive is.
func (d *Drive) Inquiry(ctx context.Context) (Inquiry, error) {
	const size = 96
	cdb := newCDB(scsi.OpInquiry)
	cdb[4] = size
	b, err := d.in(ctx, cdb, make([]byte, size), quick)
	if err != nil {
		return Inquiry{}, err
	}
	if err := need(scsi.OpInquiry, b, 36); err != nil {
		return Inquiry{}, err
	}
	q := Inquiry{
		DeviceType: b[0] & 0x1F,
		Removable:  bit(b[1], 7),
		Version:    b[2],
		Vendor:     text(b[8:16]),
		Product:    text(b[16:32]),
		Revision:   text(b[32:36]),
	}
	if len(b) >= 56 {
		q.Specific = text(b[36:56])
	}
	return q, nil
}

// SerialNumber asks for the unit serial number (vital product data page 80h,
// SPC-4 7.8.13). Many drives have none and answer with an error.
func (d *Drive) SerialNumber(ctx context.Context) (string, error) {
	const (
		size = 252
		page = 0x80
	)
	cdb := newCDB(scsi.OpInquiry)
	cdb[1], cdb[2], cdb[4] = 1, page, size
	b, err := d.in(ctx, cdb, make([]byte, size), quick)
	if err != nil {
		return "", err
	}
	if err := need(scsi.OpInquiry, b, 4); err != nil {
		return "", err
	}
	if b[1] != page {
		return "", fmt.Errorf("%s: asked for page %02Xh, got %02Xh", scsi.OpInquiry, page, b[1])
	}
	return text(b[4:min(len(b), 4+int(b[3]))]), nil
}

// LoadAction is what [Drive.StartStop] does: the LoEj and Start bits (6.44).
type LoadAction uint8

// The actions.
const (
	Stop  LoadAction = 0 // spin down
	Start LoadAction = 1 // spin up
	Eject LoadAction = 2
	Load  LoadAction = 3
)

// StartStop spins the disc up or down, or moves the tray, and waits for the end
// of it.
func (d *Drive) StartStop(ctx context.Context, a LoadAction) error {
	if err := within(scsi.OpStartStopUnit, "action", int64(a), 0, 3); err != nil {
		return err
	}
	cdb := newCDB(scsi.OpStartStopUnit)
	cdb[4] = byte(a)
	return d.none(ctx, cdb, loading)
}

// PreventRemoval locks the tray (6.16).
func (d *Drive) PreventRemoval(ctx context.Context) error {
	cdb := newCDB(scsi.OpPreventAllowRemoval)
	cdb[4] = 1
	return d.none(ctx, cdb, quick)
}

// AllowRemoval unlocks the tray (6.16).
func (d *Drive) AllowRemoval(ctx context.Context) error {
	return d.none(ctx, newCDB(scsi.OpPreventAllowRemoval), quick)
}

// MediaEventCode is what happened to the medium (6.7.2.5.2).
type MediaEventCode uint8

// The media events.
const (
	MediaNoChange     MediaEventCode = 0
	MediaEjectRequest MediaEventCode = 1 // somebody pressed the button
	MediaNew          MediaEventCode = 2
	MediaRemoval      MediaEventCode = 3
	MediaChanged      MediaEventCode = 4
	MediaFormatDone   MediaEventCode = 5 // in the background
	MediaFormatAgain  MediaEventCode = 6 // in the background
)

var mediaEventNames = map[MediaEventCode]string{
	MediaNoChange: "no change", MediaEjectRequest: "eject request", MediaNew: "new medium", MediaRemoval: "medium removed",
	MediaChanged: "medium changed", MediaFormatDone: "background format complete", MediaFormatAgain: "background format restarted",
}

func (c MediaEventCode) String() string { return name(mediaEventNames, c, "media event") }

// MediaEvent is the media class of GET EVENT STATUS NOTIFICATION (6.7.2.5).
type MediaEvent struct {
	Code     MediaEventCode
	Present  bool // a medium is in the drive
	TrayOpen bool
}

// MediaEvent polls for a media event. Reading an event clears it, and the
// kernel polls too: decide by the state bits, not by the code.
func (d *Drive) MediaEvent(ctx context.Context) (MediaEvent, error) {
	const (
		size       = 8
		mediaClass = 4
	)
	cdb := newCDB(scsi.OpGetEventStatus)
	cdb[1] = 1 // polled
	cdb[4] = 1 << mediaClass
	put16(cdb[7:], size)
	b, err := d.in(ctx, cdb, make([]byte, size), quick)
	if err != nil {
		return MediaEvent{}, err
	}
	if err := need(scsi.OpGetEventStatus, b, size); err != nil {
		return MediaEvent{}, err
	}
	if b[2]&0x80 != 0 || b[2]&7 != mediaClass {
		return MediaEvent{}, fmt.Errorf("%s: no media events in the reply", scsi.OpGetEventStatus)
	}
	return MediaEvent{Code: MediaEventCode(b[4] & 15), Present: bit(b[5], 1), TrayOpen: bit(b[5], 0)}, nil
}

// Mechanism is the header of MECHANISM STATUS (6.10).
type Mechanism struct {
	Fault    bool
	DoorOpen bool
	LBA      addr.LBA // where the pick-up is, roughly
	Slots    int      // of a changer; 0 otherwise
}

// MechanismStatus asks for the state of tray and changer.
func (d *Drive) MechanismStatus(ctx context.Context) (Mechanism, error) {
	cdb := newCDB(scsi.OpMechanismStatus)
	put16(cdb[8:], 8)
	b, err := d.in(ctx, cdb, make([]byte, 8), quick)
	if err != nil {
		return Mechanism{}, err
	}
	if err := need(scsi.OpMechanismStatus, b, 8); err != nil {
		return Mechanism{}, err
	}
	return Mechanism{
		Fault:    bit(b[0], 7),
		DoorOpen: bit(b[1], 4),
		LBA:      addr.LBA(get24(b[2:])),
		Slots:    int(b[5] & 0x3F),
	}, nil
}

// RegionType is how far the region of a drive is settled (6.28.3.6).
type RegionType uint8

// The region types.
const (
	RegionNotSet     RegionType = 0
	RegionSet        RegionType = 1
	RegionLastChance RegionType = 2 // one change is left
	RegionPermanent  RegionType = 3
)

func (t RegionType) String() string {
	return [...]string{"not set", "set", "last chance", "permanent"}[t&3]
}

// RegionState is the region playback control of a DVD drive (REPORT KEY format
// 8, 6.28.3.6).
type RegionState struct {
	Type         RegionType
	ResetsLeft   uint8
	ChangesLeft  uint8
	RegionMask   uint8 // a zero bit allows the region of its number plus one
	HasRPCScheme bool  // RPC phase II
}

// RegionState asks for the region setting of the drive.
func (d *Drive) RegionState(ctx context.Context) (RegionState, error) {
	cdb := newCDB(scsi.OpReportKey)
	put16(cdb[8:], 8)
	cdb[10] = 8 // region playback control state
	b, err := d.in(ctx, cdb, make([]byte, 8), quick)
	if err != nil {
		return RegionState{}, err
	}
	if err := need(scsi.OpReportKey, b, 8); err != nil {
		return RegionState{}, err
	}
	return RegionState{
		Type:         RegionType(b[4] >> 6),
		ResetsLeft:   b[4] >> 3 & 7,
		ChangesLeft:  b[4] & 7,
		RegionMask:   b[5],
		HasRPCScheme: b[6] == 1,
	}, nil
}
