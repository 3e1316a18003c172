package scsi

import "testing"

// Lengths follow from the group code for every standard command (SPC-4 4.2.5.1);
// an entry that departs from it is a slip in the table.
func TestOpcodeTable(t *testing.T) {
	names := make(map[string]Opcode)
	for i := range 256 {
		op := Opcode(i)
		if !op.Known() {
			if op.Direction() != None {
				t.Errorf("%s has a direction", op)
			}
			continue
		}
		if other, twice := names[op.String()]; twice {
			t.Errorf("%02Xh and %02Xh are both %s", uint8(other), i, op)
		}
		names[op.String()] = op
		if i < 0xC0 && op.CDBLength() != int(groupLengths[i>>5]) {
			t.Errorf("%s: %d bytes, its group has %d", op, op.CDBLength(), groupLengths[i>>5])
		}
	}
	for _, test := range []struct {
		op        Opcode
		name      string
		length    int
		direction Direction
	}{
		{0x00, "TEST UNIT READY", 6, None},
		{0x04, "FORMAT UNIT", 6, Out},
		{0x2A, "WRITE (10)", 10, Out},
		{0x54, "SEND OPC INFORMATION", 10, Out},
		{0xB6, "SET STREAMING", 12, Out},
		{0xBE, "READ CD", 12, In},
		{0xBF, "SEND DISC STRUCTURE", 12, Out},
		{0xD8, "READ CD-DA", 12, In},
		{0x7F, "command 7Fh", 12, None},
		{0x8A, "command 8Ah", 16, None},
		{0xF1, "command F1h", 10, None},
	} {
		if got := test.op.String(); got != test.name {
			t.Errorf("%02Xh is %q, want %q", uint8(test.op), got, test.name)
		}
		if n, d := test.op.CDBLength(), test.op.Direction(); n != test.length || d != test.direction {
			t.Errorf("%s: %d bytes, %s; want %d, %s", test.name, n, d, test.length, test.direction)
		}
	}
}
