"""The paper's other half: packets to an archive, kept compressed, decoded when somebody asks."""
