using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Forerun.Edge.Generation;

/// <summary>Seeds for those who name none and expect another text each time.</summary>
public static class NoiseSeed
{
    /// <summary>A seed from the system's randomness.</summary>
    public static ulong Fresh() => BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
}
